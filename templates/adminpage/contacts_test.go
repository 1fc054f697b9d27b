package adminpage

var contactsSamples []Page
