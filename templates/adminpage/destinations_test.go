package adminpage

var destinationsSamples []Page
