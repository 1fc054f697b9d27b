package admin

import (
	"silkpost/internal/accounts"
	"silkpost/templates/adminpage"
)

func (s *site) homeRoutes() []route {
	return []route{
		{pattern: "GET /admin/{$}", needs: accounts.Own, do: s.home},
	}
}

func (s *site) home(*visit) (adminpage.Page, error) { return adminpage.Home{}, nil }
