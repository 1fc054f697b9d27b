package subscribers

import (
	"regexp"
	"slices"
	"strings"

	"silkpost/internal/errs"
)

// standing is what a row says of a subscription. The worst that any row says of an address counts.
type standing string

const (
	saysNothing      standing = ""
	saysActive       standing = "active"
	saysPending      standing = "pending"
	saysUnsubscribed standing = "unsubscribed"
	saysBounced      standing = standing(HardBounce)
	saysComplained   standing = standing(Complaint)
	saysBlocked      standing = standing(Manual)
)

// standingWords are the words for each, parted by "|", as columnKey writes them.
var standingWords = map[standing]string{
	saysActive: "active|subscribed|enabled|confirmed|opted in|opt in|订阅|已订阅|正常|abonné|actif|inscrit|aktiv|abonniert|angemeldet|" +
		"attivo|iscritto|activo|suscrito|активен|подписан",
	saysPending: "pending|unconfirmed|non subscribed|nonsubscribed|transactional|disabled|inactive|paused|待确认|未确认|en attente|inactif|" +
		"ausstehend|unbestätigt|inaktiv|in attesa|non attivo|inattivo|pendiente|inactivo|ожидает|неактивен",
	saysUnsubscribed: "unsubscribed|opted out|opt out|optout|signed out|left|退订|已退订|取消订阅|désabonné|désinscrit|abgemeldet|" +
		"disiscritto|cancellato|baja|de baja|dado de baja|отписан|отписался|отписалась",
	saysBounced:    "cleaned|bounced|bounce|hard bounce|hard bounced|undeliverable|退信|无法投递|rejeté|unzustellbar|respinto|rebotado|недоставлено",
	saysComplained: "complaint|complained|spam|abuse|投诉|plainte|beschwerde|reclamo|queja|жалоба",
	saysBlocked:    "blocklisted|blacklisted|blocked|suppressed|banned|archived|黑名单|bloqué|gesperrt|blockiert|bloccato|bloqueado|заблокирован",
}

var standings = func() map[string]standing {
	all := map[string]standing{}
	for says, words := range standingWords {
		for word := range strings.SplitSeq(words, "|") {
			all[columnKey(word)] = says
		}
	}
	return all
}()

// rhythmWords are the words for each rhythm, likewise.
var rhythmWords = map[string]string{
	Immediate: "immediate|immediately|at once|即时|立即|immédiat|immédiatement|sofort|immediato|subito|inmediato|сразу|немедленно",
	Daily:     "daily|每天|每日|日|quotidien|tous les jours|täglich|quotidiano|giornaliero|diario|ежедневно|ежедневная",
	Weekly:    "weekly|每周|周|hebdomadaire|chaque semaine|wöchentlich|settimanale|semanal|еженедельно|еженедельная",
	Monthly:   "monthly|每月|月|mensuel|chaque mois|monatlich|mensile|mensual|ежемесячно|ежемесячная",
}

var rhythms = func() map[string]string {
	all := map[string]string{}
	for rhythm, words := range rhythmWords {
		for word := range strings.SplitSeq(words, "|") {
			all[columnKey(word)] = rhythm
		}
	}
	return all
}()

// The words by which a cell says yes and no.
var (
	yesWords = strings.Split("yes|y|true|1|x|是|oui|vrai|ja|wahr|sì|sí|si|vero|verdadero|да", "|")
	noWords  = strings.Split("no|n|false|0|否|non|faux|nein|falsch|falso|нет", "|")
)

// moment matches a point in time, however it is written in digits: evidence is kept as it was given.
var moment = regexp.MustCompile(`^[0-9][0-9 T:./+-]{3,30}( ?(Z|UTC|GMT|AM|PM|am|pm))?$`)

// checkHappened reads a cell that says whether or when something happened: "yes", the time, or "" for no.
func checkHappened(cell string) (string, error) {
	switch key := strings.ToLower(cell); {
	case slices.Contains(noWords, key):
		return "", nil
	case slices.Contains(yesWords, key):
		return "yes", nil
	}
	if !moment.MatchString(cell) {
		return "", errs.New(errs.Invalid, "not yes, no or a time such as 2026-03-01 09:00")
	}
	return cell, nil
}

// spoilt matches what a spreadsheet leaves of a value that it could not keep: a long number rounded, an error, a column too narrow, or letters
// that the encoding did not have.
var spoilt = regexp.MustCompile(`^(-?[0-9]([.,][0-9]+)?E[+-][0-9]+|#(NAME|REF|VALUE|NUM|NULL|DIV/0|N/A|NAME)[?!]?|#{4,})$`)

func checkSpoilt(cell string) error {
	switch {
	case strings.ContainsRune(cell, '\ufffd'):
		return errs.New(errs.Invalid, "letters of it are lost: save the file as UTF-8, or say how it is encoded (--encoding)")
	case (strings.ContainsRune(cell, 'E') || cell[0] == '#') && spoilt.MatchString(cell):
		return errs.New(errs.Invalid, "the spreadsheet has spoilt this value: make the column text there, write it anew and save again")
	}
	return nil
}
