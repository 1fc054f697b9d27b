// Package plot draws numbers over days as SVG, to stand in a page: its parts have classes and no colours, so that the page's style sheet gives them
// those of light and dark. It draws no words: what it shows stands beside it, and as a table for those who do not see it.
package plot

import (
	"bytes"
	"fmt"
	"math"
	"slices"

	"github.com/go-analyze/charts/chartdraw"
	"github.com/go-analyze/charts/chartdraw/drawing"
)

// Size of a plot, in the units of its view box.
const (
	width   = 1040
	height  = 280
	spacing = 4
	gutter  = 150 // for the numbers at the side
	letters = 26  // points: as large as the style sheet makes them on a phone, for they are measured with it
)

// Bars returns an svg element of bars, one beside the other, with a scale in whole numbers, which number writes. The classes of its parts are plot-bar,
// plot-axis, plot-grid, plot-base and plot-ground.
func Bars(values []int, number func(int) string) (string, error) {
	top := Top(values)
	chart := chartdraw.BarChart{
		Width: width, Height: height, BarWidth: max(2, (width-gutter)/max(1, len(values))-spacing), BarSpacing: spacing, UseBaseValue: true,
		Background: class("plot-ground"), Canvas: class("plot-ground"), XAxis: chartdraw.Hidden(),
		YAxis: chartdraw.YAxis{
			Style: class("plot-axis"), GridMajorStyle: chartdraw.Hidden(), GridMinorStyle: chartdraw.Hidden(), Zero: chartdraw.GridLine{Style: chartdraw.Hidden()},
			Range: &chartdraw.ContinuousRange{Min: 0, Max: float64(top)}, Ticks: ticks(top, number),
		},
	}
	chart.Elements = lines(top)
	chart.Background.Padding = chartdraw.Box{Top: 20, Left: 4, Right: 4, Bottom: 20, IsSet: true}
	for _, value := range values {
		chart.Bars = append(chart.Bars, chartdraw.Value{Value: float64(value), Style: class("plot-bar")})
	}
	var out bytes.Buffer
	if err := chart.Render(chartdraw.SVG, &out); err != nil {
		return "", fmt.Errorf("plot: %w", err)
	}
	return out.String(), nil
}

// class is a style that says no more than which class it is.
func class(name string) chartdraw.Style {
	return chartdraw.Style{
		ClassName: name, StrokeWidth: 1, StrokeColor: drawing.ColorBlack, FillColor: drawing.ColorBlack,
		FontStyle: chartdraw.FontStyle{FontSize: letters, FontColor: drawing.ColorBlack},
	}
}

// Top returns where the scale of some bars ends: the least of 1, 2, 5 or 10 times a power of ten that none is above, and at least 5.
func Top(values []int) int {
	most := max(5, slices.Max(values))
	power := math.Pow(10, math.Floor(math.Log10(float64(most))))
	for _, times := range []float64{1, 2, 5, 10} {
		if int(times*power) >= most {
			return int(times * power)
		}
	}
	return most
}

// ticks are the numbers at the side: nothing, the half where that is whole, and the top.
func ticks(top int, number func(int) string) []chartdraw.Tick {
	all := []chartdraw.Tick{{Value: 0, Label: number(0)}}
	if top%2 == 0 {
		all = append(all, chartdraw.Tick{Value: float64(top / 2), Label: number(top / 2)})
	}
	return append(all, chartdraw.Tick{Value: float64(top), Label: number(top)})
}

// lines are drawn behind the numbers at the side, by ourselves: those of the library have no class.
func lines(top int) (drawn []chartdraw.Renderable) {
	line := func(value int, name string) chartdraw.Renderable {
		return func(r chartdraw.Renderer, canvas chartdraw.Box, _ chartdraw.Style) {
			y := canvas.Bottom - canvas.Height()*value/top
			class(name).WriteToRenderer(r)
			r.MoveTo(canvas.Left, y)
			r.LineTo(canvas.Right, y)
			r.Stroke()
		}
	}
	drawn = append(drawn, line(0, "plot-base"), line(top, "plot-grid"))
	if top%2 == 0 {
		drawn = append(drawn, line(top/2, "plot-grid"))
	}
	return drawn
}
