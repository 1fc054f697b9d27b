package admin

func (s *site) articlesRoutes() []route { return nil }
