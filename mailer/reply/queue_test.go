package reply

import "testing"

func TestQueueID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{
		{"2.0.0 Ok: queued as 4XyZ1234AbC", "4XyZ1234AbC"},
		{"OK id=1tQ2ab-00000001abc-2XYZ", "1tQ2ab-00000001abc-2XYZ"},
		{"2.0.0 4AB1CdEf012345 Message accepted for delivery", "4AB1CdEf012345"},
		{"2.6.0 <a@news.example.org> [InternalId=12345678901234, Hostname=mx.example.org] 1234 bytes in 0.1, Queued mail for delivery", "12345678901234"},
		{"2.0.0 OK  1731000000 ffacd0b85a97d-381ed9f0a1bsi123456f8f.101 - gsmtp", "ffacd0b85a97d-381ed9f0a1bsi123456f8f.101"},
		{"2.0.0 OK", ""},
		{"queued as reader@example.org", ""},
		{"thank you", ""},
	} {
		if got := (Reply{Phase: Dot, Code: 250, Text: tt.text}).QueueID(); got != tt.want {
			t.Errorf("%q: %q, not %q", tt.text, got, tt.want)
		}
	}
	if got := (Reply{Phase: Dot, Code: 451, Text: "queued as 4XyZ1234AbC"}).QueueID(); got != "" {
		t.Errorf("a refusal has %q", got)
	}
}

func BenchmarkQueueID(b *testing.B) {
	r := Reply{Phase: Dot, Code: 250, Text: "2.0.0 Ok: queued as 4XyZ1234AbC"}
	for b.Loop() {
		_ = r.QueueID()
	}
}
