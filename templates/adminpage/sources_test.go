package adminpage

var sourcesSamples []Page
