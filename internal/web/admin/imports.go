package admin

func (s *site) importsRoutes() []route { return nil }
