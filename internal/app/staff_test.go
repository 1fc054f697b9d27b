package app_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jhillyerd/enmime/v2"

	"silkpost/internal/accounts"
	"silkpost/internal/app"
	"silkpost/internal/staff"
	"silkpost/internal/testkit"
	"silkpost/mailer/catcher"
	"silkpost/mailer/catcher/catchertest"
	"silkpost/mailer/reply"
	"silkpost/mailer/send"
)

// hire makes an account that is in use.
func (h *house) hire(t *testing.T, email, language string, lists []int64, roles ...accounts.Role) (id int64) {
	t.Helper()
	id, err := h.Accounts.Create(t.Context(), accounts.Account{Email: email, Roles: roles, Lists: lists, Language: language, Zone: "Europe/Rome", State: accounts.Active})
	if err != nil {
		t.Fatal(err)
	}
	h.exec(t, `UPDATE accounts.accounts SET state = 'active' WHERE id = $1`, id)
	return id
}

func (h *house) exec(t *testing.T, query string, args ...any) {
	t.Helper()
	if _, err := h.DB.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// waits makes an edition that waits for approval, or is in another state.
func (h *house) waits(t *testing.T, state string) uuid.UUID {
	t.Helper()
	id, now := uuid.Must(uuid.NewV7()), h.Clock.Now()
	h.exec(t, `INSERT INTO mailer.editions (id, list_id, rhythm, local_date, origin, state, cut_off, created_at, recipients, approve_by, finished_at)
		SELECT $1, id, 'weekly', $2::timestamptz, 'hand', $3::text, $2::timestamptz, $2::timestamptz, 1204, $4, CASE $3::text WHEN 'sent' THEN $2::timestamptz END
		FROM subscribers.lists WHERE slug = 'partners'`, id, now, state, now.Add(time.Hour))
	return id
}

func (h *house) tell(t *testing.T, wanted int) {
	t.Helper()
	if n, err := h.TellStaff(t.Context()); err != nil || n != wanted {
		t.Errorf("%d mails are made, not %d (%v)", n, wanted, err)
	}
}

// staffMails are those that came to an address: their subjects and texts.
func (h *house) staffMails(t *testing.T, to string) (mails []string) {
	t.Helper()
	for _, m := range h.post.Messages() {
		if m.To[0] != to {
			continue
		}
		_, raw, err := h.post.Open(m.ID)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := enmime.ReadEnvelope(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		mails = append(mails, parsed.GetHeader("Subject")+"\n"+parsed.Text)
	}
	return mails
}

func TestStaffAreToldWhatNeedsThem(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.hire(t, "approver@example.org", "en", nil, accounts.Approver)
	h.hire(t, "pizhun@example.org", "zh-Hans", nil, accounts.Approver)
	h.hire(t, "reader@example.org", "en", nil, accounts.Reader)
	h.hire(t, "other@example.org", "en", []int64{99}, accounts.Manager, accounts.Approver)
	id := h.waits(t, "review")
	h.tell(t, 2)
	h.tell(t, 0) // once
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "both are told", func() bool {
		return len(h.staffMails(t, "approver@example.org")) == 1 && len(h.staffMails(t, "pizhun@example.org")) == 1
	})
	mail := h.staffMails(t, "approver@example.org")[0]
	for _, wanted := range []string{"To approve: News for our partners, Weekly", "1,204 recipients", "/admin/editions/" + id.String(), "/admin/account/mails", "1 Example Street"} {
		if !strings.Contains(mail, wanted) {
			t.Errorf("%q is not in:\n%s", wanted, mail)
		}
	}
	if mail := h.staffMails(t, "pizhun@example.org")[0]; !strings.Contains(mail, "待批准：合作伙伴通讯，每周") {
		t.Errorf("in Chinese:\n%s", mail)
	}
	for _, nobody := range []string{"reader@example.org", "other@example.org"} {
		if mails := h.staffMails(t, nobody); len(mails) > 0 {
			t.Errorf("%s is told: %v", nobody, mails)
		}
	}
	if count, err := staff.Count(t.Context(), h.DB); err != nil || count[staff.Sent] != 2 {
		t.Errorf("%v (%v)", count, err)
	}
	if s, err := h.Status(t.Context()); err != nil || s.Deliveries.Recipients != 0 || s.Notices.Recipients != 0 {
		t.Errorf("they count as deliveries: %+v (%v)", s.Deliveries, err)
	}
}

func TestStaffAreToldMuchInOneMail(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.hire(t, "all@example.org", "en", nil, accounts.Owner, accounts.Approver)
	h.waits(t, "held")
	for i := range 3 {
		h.exec(t, `INSERT INTO articles.sources (slug, kind, url, every, created_at, failures, failure, failing_since) VALUES ($1, 'feed', $2, '15 min', $3, 3, '404', $3)`,
			fmt.Sprint("site-", i), fmt.Sprintf("https://www.example.org/%d", i), h.Clock.Now())
	}
	h.exec(t, `INSERT INTO mailer.destinations (name, paused_at, paused_until, times, kind, code, reply) VALUES ('example.com', $1, $2, 1, $3, 550, 'no')`,
		h.Clock.Now(), h.Clock.Now().Add(time.Hour), reply.Blocked)
	h.waits(t, "sent")
	h.tell(t, 2) // what is needed, and a report
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "both came", func() bool { return len(h.staffMails(t, "all@example.org")) == 2 })
	mails := strings.Join(h.staffMails(t, "all@example.org"), "\n")
	for _, wanted := range []string{"5 things need you", "Failing: site-2", "Blocks us: example.com", "Held: News for our partners", "Sent: News for our partners", "0 were sent"} {
		if !strings.Contains(mails, wanted) {
			t.Errorf("%q is not in:\n%s", wanted, mails)
		}
	}
}

// What was done meanwhile is not told, what somebody does not want is not told, and as long as no mail can be sent nobody counts as told.
func TestStaffAreNotToldInVain(t *testing.T) {
	t.Parallel()
	h := open(t)
	who := h.hire(t, "approver@example.org", "en", nil, accounts.Approver)
	h.exec(t, `INSERT INTO mailer.destinations (name, paused_at, paused_until, times, kind, code, reply) VALUES ('example.com', $1, $2, 1, 'blocked', 550, 'no')`,
		h.Clock.Now(), h.Clock.Now().Add(time.Hour))
	h.tell(t, 0) // no list has a sender
	h.apply(t, list)
	if err := h.WishMails(t.Context(), who, []staff.Kind{staff.Destination, staff.Report}); err != nil {
		t.Fatal(err)
	}
	h.waits(t, "sent")
	h.tell(t, 0)
	id := h.waits(t, "review")
	h.tell(t, 1)
	h.exec(t, `UPDATE mailer.editions SET state = 'cancelled', finished_at = cut_off WHERE id = $1`, id)
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "it is cancelled", func() bool {
		count, err := staff.Count(t.Context(), h.DB)
		return err == nil && count[staff.Cancelled] == 1
	})
	if mails := h.staffMails(t, "approver@example.org"); len(mails) > 0 {
		t.Errorf("told in vain: %v", mails)
	}
}

// A mail that is put off is tried again.
func TestStaffMailsAreTriedAgain(t *testing.T) {
	t.Parallel()
	post := catchertest.Start(t, catcher.Config{Script: []catcher.Rule{{Verb: "RCPT", Times: 1, Reply: "450 4.2.1 later"}}})
	quick := send.Retry{First: time.Millisecond, Longest: time.Second, GiveUp: time.Hour, InDoubt: time.Millisecond}
	h := openOn(t, testkit.FreshURL(t), post, app.Options{Retry: &quick})
	h.apply(t, list)
	h.hire(t, "approver@example.org", "en", nil, accounts.Approver)
	h.waits(t, "review")
	h.tell(t, 1)
	h.run(t, app.Parts{Worker: true})
	testkit.Eventually(t, patience, "it is sent in the end", func() bool {
		var attempts int
		err := h.DB.GetContext(t.Context(), &attempts, `SELECT coalesce(max(attempts), 0) FROM staff.mails WHERE state = 'sent'`)
		return err == nil && attempts == 2
	})
}
