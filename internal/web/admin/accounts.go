package admin

func (s *site) accountsRoutes() []route { return nil }
