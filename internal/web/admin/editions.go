package admin

func (s *site) editionsRoutes() []route { return nil }
