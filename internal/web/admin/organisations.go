package admin

func (s *site) organisationsRoutes() []route { return nil }
