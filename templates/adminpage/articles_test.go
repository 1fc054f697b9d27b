package adminpage

var articlesSamples []Page
