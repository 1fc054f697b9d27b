package adminpage

var editionsSamples []Page
