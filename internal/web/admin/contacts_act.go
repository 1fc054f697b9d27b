package admin

import (
	"context"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"silkpost/internal/app"
	"silkpost/internal/database"
	"silkpost/internal/errs"
	"silkpost/subscribers"
	"silkpost/templates/adminpage"
)

// told turns what is wrong with what somebody asked for into the contact's page with the reason on top. Other errors stay.
func (s *site) told(v *visit, contact int64, err error) (adminpage.Page, error) {
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Conflict, errs.Unavailable, errs.Gone:
		page, failed := s.story(v, contact, nil, adminpage.Mistakes{"": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	return nil, err
}

// unexplained asks on a contact's page why something is to be done: that stands in the log beside what was.
func (s *site) unexplained(v *visit, field string) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	missing, err := s.missing(v, field)
	if err != nil {
		return nil, err
	}
	page, err := s.story(v, id, nil, missing)
	if err != nil {
		return nil, err
	}
	return v.again(page)
}

// missing says that a field must be filled in.
func (s *site) missing(v *visit, field string) (adminpage.Mistakes, error) {
	says, err := s.pages.Say(s.words(v), "contacts.why_missing")
	return adminpage.Mistakes{field: says}, err
}

// onList does something with a contact's subscription to the list in the address.
func (s *site) onList(v *visit, done string, do func(contact, list int64) error) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	list, err := subscribers.ListBySlug(v.Context(), s.App.DB, v.PathValue("list"))
	if err != nil {
		return nil, err
	}
	if err := do(id, list.ID); err != nil {
		return s.told(v, id, err)
	}
	return v.leave(contactPath(id), done)
}

func (s *site) unsubscribeContact(v *visit) (adminpage.Page, error) {
	if strings.TrimSpace(v.PostFormValue("why")) == "" {
		return s.unexplained(v, "why-unsubscribe-"+v.PathValue("list"))
	}
	return s.onList(v, "contact_unsubscribed", func(contact, list int64) error {
		return s.App.UnsubscribeContact(v.Context(), v.actor.Name, contact, list, v.PostFormValue("why"))
	})
}

func (s *site) pauseContact(v *visit) (adminpage.Page, error) {
	return s.onList(v, "contact_paused", func(contact, list int64) error {
		days := 0
		if given := strings.TrimSpace(v.PostFormValue("days")); given != "" {
			var err error
			if days, err = strconv.Atoi(given); err != nil || days < 1 {
				return errs.New(errs.Invalid, "days: %.20q is no number from 1 on", given)
			}
		}
		return s.App.PauseContact(v.Context(), v.actor.Name, contact, list, days, v.PostFormValue("why"))
	})
}

func (s *site) resumeContact(v *visit) (adminpage.Page, error) {
	return s.onList(v, "contact_resumed", func(contact, list int64) error { return s.App.ResumeContact(v.Context(), v.actor.Name, contact, list) })
}

func (s *site) changeDelivery(v *visit) (adminpage.Page, error) {
	return s.onList(v, "saved", func(contact, list int64) error {
		return s.App.ChangeDelivery(v.Context(), contact, list, v.PostFormValue("rhythm"), strings.Split(v.PostFormValue("topics"), ";"))
	})
}

func (s *site) askToConfirm(v *visit) (adminpage.Page, error) {
	return s.onList(v, "contact_asked", func(contact, list int64) error { return s.App.AskToConfirm(v.Context(), contact, list) })
}

func (s *site) subscribeContact(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	list, err := s.ownList(v)
	if err != nil {
		return nil, err
	}
	if _, err := s.story(v, id, nil, nil); err != nil { // whom they may not see they do not put on a list either
		return nil, err
	}
	contact, err := subscribers.ContactByID(v.Context(), s.App.DB, id)
	if err != nil {
		return nil, err
	}
	_, row, refused, err := s.App.AddContact(v.Context(), v.actor.Name, app.NewContact{
		Email: contact.Email, List: list.Slug, Rhythm: v.PostFormValue("rhythm"), Consent: v.PostFormValue("consent"),
	})
	if len(refused) > 0 {
		page, err := s.story(v, id, v.fields(), refused)
		if err != nil {
			return nil, err
		}
		return v.again(page)
	}
	if err != nil {
		return s.told(v, id, err)
	}
	switch row.State {
	case subscribers.Pending:
		return v.leave(contactPath(id), "contact_pending")
	case subscribers.Unsubscribed:
		return s.told(v, id, errs.New(errs.Conflict, haveLeft))
	}
	return v.leave(contactPath(id), "contact_subscribed")
}

func (s *site) suppressContact(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	contact, err := subscribers.ContactByID(v.Context(), s.App.DB, id)
	if err != nil {
		return nil, err
	}
	if contact.ErasedAt != nil {
		return nil, errs.New(errs.NotFound, "contact %d was erased", id)
	}
	if strings.TrimSpace(v.PostFormValue("why")) == "" {
		return s.unexplained(v, "why-suppress")
	}
	if _, err := s.App.SuppressFor(v.Context(), v.actor.Name, contact.Email, v.PostFormValue("why")); err != nil {
		return s.told(v, id, err)
	}
	return v.leave(contactPath(id), "suppressed")
}

// editionList returns the list of the edition whose id stands in the address.
func (s *site) editionList(ctx context.Context, v *visit) ([]int64, error) {
	id, err := uuid.Parse(v.PathValue("edition"))
	if err != nil {
		return nil, errs.New(errs.NotFound, "%.40q is no edition", v.PathValue("edition"))
	}
	e, err := s.App.Edition(ctx, id)
	if err != nil {
		return nil, err
	}
	return []int64{e.ListID}, nil
}

func (s *site) resendEdition(v *visit) (adminpage.Page, error) {
	id, err := v.id()
	if err != nil {
		return nil, err
	}
	edition, err := uuid.Parse(v.PathValue("edition"))
	if err != nil {
		return nil, errs.New(errs.NotFound, "%.40q is no edition", v.PathValue("edition"))
	}
	if err := s.App.Desk(v.actor.Name).Resend(v.Context(), edition, id); err != nil {
		return s.told(v, id, err)
	}
	return v.leave(contactPath(id), "contact_resent")
}

// suppressionsPage is how many suppressions a page shows.
const suppressionsPage = 50

func (s *site) suppressions(v *visit) (adminpage.Page, error) {
	return s.suppressionList(v, adminpage.Fields(v.URL.Query()), nil)
}

// suppressionList shows who must not be mailed. With mistakes, fields are of a form that could not be taken.
func (s *site) suppressionList(v *visit, fields adminpage.Fields, mistakes adminpage.Mistakes) (adminpage.Page, error) {
	page := adminpage.Suppressions{Fields: fields, Mistakes: mistakes}
	var found []subscribers.Suppression
	var err error
	if whom := strings.TrimSpace(v.query("q")); whom != "" {
		found, err = subscribers.SuppressionsOf(v.Context(), s.App.DB, whom)
		if errs.KindOf(err) == errs.Invalid && err != nil {
			page.Mistakes = adminpage.Mistakes{"": err.Error()}
			return v.again(page)
		}
	} else {
		found, err = subscribers.Suppressions(v.Context(), s.App.DB, v.number("after"), suppressionsPage+1)
	}
	if err != nil {
		return nil, err
	}
	next := int64(0)
	if len(found) > suppressionsPage && v.query("q") == "" {
		found = found[:suppressionsPage]
		next = found[suppressionsPage-1].ID
	}
	actors := make([]string, len(found))
	for i, x := range found {
		actors[i], _ = saidBy(x.Origin)
	}
	called, err := s.namesOf(v, actors...)
	if err != nil {
		return nil, err
	}
	for _, x := range found {
		page.Suppressions = append(page.Suppressions, called.suppression(v, subscribers.SuppressionRecord{
			Address: x.Address + x.Domain, Reason: x.Reason, Origin: x.Origin, At: x.At, Lifted: x.Lifted,
		}))
	}
	page.Pager = v.onward(nextID(next))
	return page, nil
}

func (s *site) suppress(v *visit) (adminpage.Page, error) {
	if strings.TrimSpace(v.PostFormValue("why")) == "" {
		missing, err := s.missing(v, "why")
		if err != nil {
			return nil, err
		}
		page, err := s.suppressionList(v, v.fields(), missing)
		if err != nil {
			return nil, err
		}
		return v.again(page)
	}
	change, err := s.App.SuppressFor(v.Context(), v.actor.Name, v.PostFormValue("whom"), v.PostFormValue("why"))
	if errs.KindOf(err) == errs.Invalid && err != nil {
		page, failed := s.suppressionList(v, v.fields(), adminpage.Mistakes{"whom": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	if err != nil {
		return nil, err
	}
	if change == database.Unchanged {
		return v.leave("/admin/contacts/suppressions", "suppressed_already")
	}
	return v.leave("/admin/contacts/suppressions", "suppressed")
}

// liftSuppression ends a suppression from either page that shows one: that of a contact, or that of all.
func (s *site) liftSuppression(v *visit) (adminpage.Page, error) {
	whom := v.PostFormValue("whom")
	contact, _ := strconv.ParseInt(v.PostFormValue("contact"), 10, 64)
	err := s.App.LiftFor(v.Context(), v.actor.Name, whom)
	switch kind := errs.KindOf(err); {
	case err == nil && contact > 0:
		return v.leave(contactPath(contact), "lifted")
	case err == nil:
		return v.leave("/admin/contacts/suppressions", "lifted")
	case contact > 0:
		return s.told(v, contact, err)
	case kind == errs.Invalid || kind == errs.Conflict || kind == errs.NotFound:
		page, failed := s.suppressionList(v, nil, adminpage.Mistakes{"": err.Error()})
		if failed != nil {
			return nil, failed
		}
		return v.again(page)
	}
	return nil, err
}
