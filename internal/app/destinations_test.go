package app_test

import (
	"testing"

	"silkpost/mailer/destination"
)

// What is sent is counted for its destination by the time the sender has ended.
func TestWhatDestinationsTookIsCounted(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.apply(t, list)
	h.contacts(t, "anna@museum.example,Anna,en,daily", "bruno@museum.example,Bruno,it,daily", "carla@centro.example,Carla,it,daily")
	h.articles(t, relayEn, relayIt)
	h.send(t)
	took, _, err := h.Destinations(t.Context(), "", destination.Day{}, 10)
	if err != nil || len(took) != 2 || took[0].Name != "museum.example" || took[0].Sent != 2 || took[1].Sent != 1 {
		t.Errorf("%v %+v", err, took)
	}
}
