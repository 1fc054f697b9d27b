package adminpage

var accountsSamples []Page
