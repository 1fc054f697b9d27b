package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestAdmin(t *testing.T) {
	t.Parallel()
	with := peopled(t)
	with["PUBLIC_URL"] = "https://news.example.org"
	wants(t, "no accounts", good(t, with, "admin", "list"), "silkpost admin create ADDRESS")
	link := regexp.MustCompile(`^https://news\.example\.org/admin/link/[a-z2-7]{52}\nOpen it .* works once`)
	made := good(t, with, "admin", "create", "Owner@Example.org", "--name", "Somebody", "--language", "zh-Hans")
	if !link.MatchString(made) {
		t.Errorf("admin create: %s", made)
	}
	good(t, with, "admin", "create", "manager@example.org", "--role", "manager", "--list", "partners")
	rows := decode[[]adminRow](t, good(t, with, "admin", "list", "--json"))
	if len(rows) != 2 || rows[1].Email != "owner@example.org" || rows[1].State != "invited" || strings.Join(rows[1].Roles, " ") != "owner approver" || rows[1].Lists != nil {
		t.Errorf("%+v", rows)
	}
	if strings.Join(rows[0].Lists, " ") != "partners" {
		t.Errorf("%+v", rows)
	}
	wants(t, "admin list", good(t, with, "admin", "list"), "owner@example.org", "owner, approver", "invited", "never")
	if again := good(t, with, "admin", "link", "owner@example.org"); !link.MatchString(again) || again == made {
		t.Errorf("admin link: %s", again)
	}
	silkpost(t, with, "admin", "create", "owner@example.org").told(t, "again", 1, "owner@example.org already")
	silkpost(t, with, "admin", "create", "x@example.org", "--role", "king").told(t, "no role", 1, `"king"`, "owner, editor")
	silkpost(t, with, "admin", "create", "x@example.org", "--role", "manager").told(t, "no list", 1, "at least one")
	silkpost(t, with, "admin", "create", "x@example.org", "--list", "nowhere", "--role", "manager").told(t, "unknown list", 1, "nowhere")
	silkpost(t, with, "admin", "create", "nobody").told(t, "no address", 1, `"nobody"`)
	silkpost(t, with, "admin", "link", "nobody@example.org").told(t, "no account", 1, "nobody@example.org")
	good(t, with, "admin", "disable", "manager@example.org")
	silkpost(t, with, "admin", "link", "manager@example.org").told(t, "disabled", 1, "enable it first")
	wants(t, "admin list", good(t, with, "admin", "list"), "disabled")
	with["PUBLIC_URL"], with["LISTEN"] = "", "127.0.0.1:8765"
	wants(t, "without a public URL", good(t, with, "admin", "link", "owner@example.org"), "http://127.0.0.1:8765/admin/link/", "in place of http://127.0.0.1:8765")
}
