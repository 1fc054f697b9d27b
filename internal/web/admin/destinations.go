package admin

func (s *site) destinationsRoutes() []route { return nil }
