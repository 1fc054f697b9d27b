package adminpage

var audiencesSamples []Page
