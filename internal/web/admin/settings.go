package admin

func (s *site) settingsRoutes() []route { return nil }
