package admin

func (s *site) feedsRoutes() []route { return nil }
