package adminpage

var themesSamples []Page
