package admin

func (s *site) audiencesRoutes() []route { return nil }
