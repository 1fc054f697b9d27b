package adminpage

var organisationsSamples []Page
