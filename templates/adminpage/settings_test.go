package adminpage

var settingsSamples []Page
