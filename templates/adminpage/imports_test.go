package adminpage

var importsSamples []Page
