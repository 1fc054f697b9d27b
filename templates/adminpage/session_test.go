package adminpage

var sessionSamples []Page
