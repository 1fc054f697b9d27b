package adminpage

// Home is the first page.
type Home struct{}

func (Home) template() string { return "home" }
