package bounce

import "regexp"

// The words by which machines are known where no standard helps. All are looked for in what a person would read.
var (
	// mailer matches the From line of mail servers.
	mailer = regexp.MustCompile(`(?i)\b(mailer-?daemon|postmaster|mail delivery (sub)?system|mail delivery service|mdaemon|microsoft outlook|system administrator|mail-?admin|bounce)\b|邮件系统|系统管理员|退信`)

	// bounceSubject matches subjects of bounces: without a mailer's From they count only with the null sender.
	bounceSubject = regexp.MustCompile(`(?i)^\W*(failure notice|undeliver(able|ed)|delivery (status notification|failure|has failed|failed)|mail delivery failed|returned mail|non[- ]?delivery|message undeliverable|mail system error|rejected|warning: message)|退信|无法送达|投递失败|系统退信|не доставлено|недоставлен|unzustellbar|mancata consegna|échec de la remise|no se puede entregar|nedoručitelné|配信不能|エラー通知|반송`)

	// lateSubject and stillTrying match warnings.
	lateSubject = regexp.MustCompile(`(?i)\b(delayed|delay\)|warning: (could not send|message)|will retry|delivery status notification \(delay\))|延迟`)
	stillTrying = regexp.MustCompile(`(?i)(this is a warning( message)? only|you do not need to resend|will (be retried|keep trying|continue to|retry)|still (being )?retried|delivery attempts will continue|has not yet been delivered|not yet been delivered|继续尝试|将继续)`)

	// awaySubject matches answers of people who are away. It is careful: only at the beginning, and no word that a person would begin with.
	awaySubject = regexp.MustCompile(`(?i)^\W*(out of (the )?office|automatic reply|auto(matic)?[ -]?(reply|response|antwort)|autoreply|away from (the|my) office|vacation (reply|response)|abwesenheit|abwesend|automatische antwort|risposta automatica|fuori sede|réponse automatique|absence du bureau|respuesta automática|fuera de la oficina|автоответ|автоматический ответ|автоматична відповідь|automatická odpověď|自动回复|自動回覆|自動返信|不在のお知らせ|자동 ?(회신|응답)|ตอบกลับอัตโนมัติ|аутоматски одговор)`)

	// challengeSubject matches machines that want a person to prove that they are one.
	challengeSubject = regexp.MustCompile(`(?i)(please confirm (your (message|e-?mail)|that you)|confirm (your )?(message|e-?mail) (to|delivery)|message confirmation|sender (verification|confirmation)|verify your (e-?mail|message)|challenge[- ]response|boxbe|spamarrest)`)

	// copyBegins matches the line behind which a mailer copies our message into its text.
	copyBegins = regexp.MustCompile(`(?im)^[-\s>*]*((below this line is a copy of the message|this is a copy of (your|the) message, including all the headers|original message (follows|headers?)|the (original message|header of the original)|unsent message below|message headers? follows?|begin original|原(始)?邮件|原信)[^\n]*)$`)
)
