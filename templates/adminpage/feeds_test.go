package adminpage

var feedsSamples []Page
