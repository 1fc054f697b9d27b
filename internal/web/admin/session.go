package admin

func (s *site) sessionRoutes() []route { return nil }
