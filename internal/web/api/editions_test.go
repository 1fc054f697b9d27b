package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/jmoiron/sqlx"

	"silkpost/internal/database"
	"silkpost/internal/web/api"
	"silkpost/mailer/edition"
	"silkpost/mailer/ledger"
	"silkpost/subscribers"
)

// planned plans an edition of a list by hand.
func (h *house) planned(slug string) *edition.Edition {
	h.t.Helper()
	list, err := subscribers.ListBySlug(h.t.Context(), h.DB, slug)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := ledger.Prepare(h.t.Context(), h.DB, h.clock.Now()); err != nil {
		h.t.Fatal(err)
	}
	var e *edition.Edition
	if err := database.Transact(h.t.Context(), h.DB, func(tx *sqlx.Tx) (err error) {
		e, err = h.Planner.Plan(h.t.Context(), tx, edition.Request{List: list, Rhythm: "weekly", CutOff: h.clock.Now(), AtOnce: true, ByHand: true})
		return err
	}); err != nil {
		h.t.Fatal(err)
	}
	return e
}

func TestAnEditionIsApprovedAsItWasSeen(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.subscribed("partners", "reader@example.org")
	h.ask("POST", "/api/v1/articles", robots).is(http.StatusCreated)
	e := h.planned("partners")
	path := fmt.Sprintf("/api/v1/editions/%s", e.ID)
	var got api.Edition
	seen := h.ask("GET", path, nil).is(http.StatusOK).into(&got).header.Get("ETag")
	if got.State != "review" || got.List != "partners" || got.Recipients != 1 || len(got.Contents) != 1 || got.Contents[0].Slug != "robots-in-the-museum" {
		t.Fatalf("%+v", got)
	}
	h.ask("POST", path+"/approve", nil).problem(http.StatusPreconditionRequired)
	article, err := h.Articles.BySlug(t.Context(), h.DB, "robots-in-the-museum")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Desk("account 7").Pin(t.Context(), e.ID, article); err != nil {
		t.Fatal(err)
	}
	h.ask("POST", path+"/approve", nil, "If-Match", seen).problem(http.StatusPreconditionFailed)
	seen = h.ask("GET", path, nil).is(http.StatusOK).header.Get("ETag")
	h.ask("POST", path+"/approve", nil, "If-Match", seen).is(http.StatusOK).into(&got)
	if got.State != "approved" || got.Log[len(got.Log)-1].Actor != "key sp_all" {
		t.Errorf("%+v", got)
	}
	for _, act := range []struct{ name, body, state string }{
		{"pause", "", "approved"},
		{"resume", "", "approved"},
		{"hold", `{"reason": "wait for the picture"}`, "held"},
		{"release", "", "approved"},
		{"cancel", `{"reason": "not today"}`, "cancelled"},
	} {
		var body any
		if act.body != "" {
			body = act.body
		}
		h.ask("POST", path+"/"+act.name, body, "If-Match", "*").is(http.StatusOK).into(&got)
		if got.State != act.state || got.Paused != (act.name == "pause") {
			t.Errorf("%s: %+v", act.name, got)
		}
	}
	h.ask("POST", path+"/pause", nil).problem(http.StatusConflict)

	var counts api.Counts
	h.ask("GET", path+"/counts", nil).is(http.StatusOK).into(&counts)
	if counts.Recipients != 1 || counts.Cancelled != 1 {
		t.Errorf("%+v", counts)
	}
	var deliveries api.Page[api.Delivery]
	h.ask("GET", path+"/deliveries", nil).is(http.StatusOK).into(&deliveries)
	if d := deliveries.Items; len(d) != 1 || d[0].Email != "reader@example.org" || d[0].State != "cancelled" || len(d[0].Articles) != 1 {
		t.Errorf("%+v", d)
	}
	h.ask("GET", path+"/deliveries?state=sent", nil).is(http.StatusOK).into(&deliveries)
	if len(deliveries.Items) != 0 {
		t.Errorf("%+v", deliveries.Items)
	}
	var status api.Status
	h.ask("GET", "/api/v1/status", nil).is(http.StatusOK).into(&status)
	if status.Editions != (api.EditionsStatus{}) {
		t.Errorf("%+v", status)
	}
	h.ask("GET", "/api/v1/editions/4711", nil).problem(http.StatusNotFound)
}
