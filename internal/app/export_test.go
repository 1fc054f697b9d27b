package app

// SendNotice is what a job does with a notice.
var SendNotice = (*App).sendNotice
