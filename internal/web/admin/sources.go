package admin

func (s *site) sourcesRoutes() []route { return nil }
