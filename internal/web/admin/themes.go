package admin

func (s *site) themesRoutes() []route { return nil }
