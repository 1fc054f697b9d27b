package adminpage

var listsSamples []Page
