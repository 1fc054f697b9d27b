package plot

import (
	"strconv"
	"strings"
	"testing"
)

func TestBars(t *testing.T) {
	t.Parallel()
	svg, err := Bars([]int{0, 3, 12, 7}, strconv.Itoa)
	if err != nil {
		t.Fatal(err)
	}
	for wanted, times := range map[string]int{"plot-bar": 4, ">20<": 1, ">10<": 1, ">0<": 1, "plot-grid": 2, "plot-base": 1} {
		if n := strings.Count(svg, wanted); n != times {
			t.Errorf("%s stands there %d times, not %d", wanted, n, times)
		}
	}
	if strings.Contains(svg, "style=") {
		t.Errorf("it has a style of its own, which a page's policy refuses: %s", svg)
	}
}

func TestNothingIsDrawnAsWell(t *testing.T) {
	t.Parallel()
	if _, err := Bars(make([]int, 30), strconv.Itoa); err != nil {
		t.Error(err)
	}
}

func TestTop(t *testing.T) {
	t.Parallel()
	for most, want := range map[int]int{0: 5, 5: 5, 6: 10, 10: 10, 11: 20, 51: 100, 1001: 2000, 5000: 5000, 1_000_001: 2_000_000} {
		if got := Top([]int{1, most}); got != want {
			t.Errorf("%d: %d, want %d", most, got, want)
		}
	}
}
