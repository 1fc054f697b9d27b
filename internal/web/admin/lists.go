package admin

func (s *site) listsRoutes() []route { return nil }
