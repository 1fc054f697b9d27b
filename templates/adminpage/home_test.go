package adminpage

var homeSamples = []Page{Home{}}
