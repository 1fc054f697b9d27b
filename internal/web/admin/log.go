package admin

import "silkpost/templates/adminpage"

func (s *site) showLog(*visit) (adminpage.Page, error) { return adminpage.Log{}, nil }
