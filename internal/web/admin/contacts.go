package admin

func (s *site) contactsRoutes() []route { return nil }
