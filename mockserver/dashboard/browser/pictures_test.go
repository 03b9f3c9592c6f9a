package browser_test

import (
	"bytes"
	"cmp"
	"flag"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"github.com/llama-orch/node-registration/mockserver"
	"github.com/llama-orch/node-registration/mockserver/clock"
	"github.com/llama-orch/node-registration/mockserver/mocktest"
	"github.com/llama-orch/node-registration/pkg/nodeapi"
)

var update = flag.Bool("update", false, "write the README's pictures")

const (
	pictures       = "../../../docs/images"
	largestPicture = 120 << 10 // bytes; a README with larger ones is slow to open
)

// The pictures of the README tell a story. The mock's clock is put forward from one to the
// next, so that nobody waits and they come out the same.
func TestPictures(t *testing.T) {
	t.Parallel()
	f := newFilm(t)
	p := open(t, f.mock.URL, look{width: 1280, height: 900})
	p.waitText("#node-empty", "nodesim run")
	f.shoot(p, "start", "#timeline")

	f.register()
	f.play(46 * time.Second)
	p.waitText(".node[data-status=Online]", "gpu-node-3")
	f.shoot(p, "nodes", "#timeline")

	p.click(".node:nth-child(2) .cable")
	p.waitText(".node[data-pulled]", "gpu-node-2")
	f.play(4 * time.Second)
	p.waitText(".beat-left", "late")
	f.shoot(p, "cable", "#timeline")

	f.play(9 * time.Second)
	p.waitText(".node[data-status=Offline]", "gpu-node-2")
	f.shoot(p, "offline", "#timeline")

	p.click(".node:nth-child(2) .cable")
	p.waitText(".node[data-status=Online]:not([data-pulled])", "gpu-node-1")
	f.play(12 * time.Second)
	p.waitText("#tally [data-status=Online]", "3")
	f.shoot(p, "back", "#timeline")

	p.waitText(".entry", "200")
	p.click("#journal-follow")
	p.click("[data-kind=exchange] .entry:has([data-class='2xx'])")
	p.waitText(".side[aria-label=Answer] pre", "success")
	if !*update {
		return
	}
	dark := open(t, f.mock.URL, look{width: 1280, height: 900, scheme: "dark"})
	f.play(2 * time.Second)
	dark.waitText("#tally [data-status=Online]", "3")
	f.shoot(dark, "dark", "#timeline")
	phone := open(t, f.mock.URL, look{width: 390, height: 844})
	f.play(2 * time.Second)
	phone.waitText("#tally [data-status=Online]", "3")
	phone.waitText(".entry", "200")
	f.shoot(phone, "phone", "#timeline")
}

// film is a mock with three nodes that follow a script.
type film struct {
	t      *testing.T
	mock   *mocktest.Server
	clock  *clock.Clock
	client *nodeapi.Client
	played time.Duration
}

const frame = 200 * time.Millisecond

func newFilm(t *testing.T) *film {
	clk := clock.PausedAt(time.Date(2026, time.November, 23, 9, 59, 12, 0, time.UTC))
	mock := mocktest.Start(t, quiet, mockserver.WithClock(clk),
		mockserver.WithHeartbeatInterval(2*time.Second), mockserver.WithNodeTimeout(6*time.Second))
	transport := &http.Transport{DisableKeepAlives: true}
	client, err := nodeapi.NewClient(mock.URL, nodeapi.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		t.Fatal(err)
	}
	return &film{t: t, mock: mock, clock: clk, client: client}
}

func (f *film) register() {
	for _, id := range ids(3) {
		answer, err := f.client.RegisterNode(f.t.Context(), &nodeapi.RegisterNodeParams{}, nodeapi.RegisterRequest{
			NodeID: id, MachineID: "machine-alpha", Address: "http://127.0.0.1:9200", Pools: []string{"pool-0"},
			Capabilities: nodeapi.NodeCapabilities{GPUCount: 2, TotalVRAMMB: 48_000, CUDAVersion: "12.1"},
		})
		if err != nil {
			f.t.Fatal(err)
		}
		_ = answer.Body.Close()
		f.play(400 * time.Millisecond)
	}
}

// play lets time pass, in which each node has a heartbeat every 2 s.
func (f *film) play(length time.Duration) {
	for range length / frame {
		f.clock.Advance(frame)
		f.played += frame
		for i, id := range ids(3) {
			if f.played%(2*time.Second) == time.Duration(i+1)*600*time.Millisecond {
				free := int32(f.played/(2*time.Second)+time.Duration(2*i)) % 5
				beat(f.t.Context(), f.client, id, f.clock.Now(), max(free, 1))
			}
		}
	}
}

// staging brings the page up to the mock's time. The clock stands, so that the pictures come
// out the same each time, but in the story it runs, and so it does in them.
const staging = `(async () => {
	const paused = { method: 'PATCH', headers: { 'Content-Type': 'application/json' }, body: '{"running":false}' };
	const { now_ms: now } = await (await fetch('/__mock/clock', paused)).json();
	const shown = new Date(now).toISOString().slice(11, 19);
	while (document.querySelector('#clock-now').textContent !== shown) await new Promise((done) => setTimeout(done, 50));
	document.activeElement.blur();
	document.querySelectorAll('.command code').forEach((e) => { e.textContent = e.textContent.replace(location.host, '127.0.0.1:8080'); });
	scrollTo(0, 0);
	await new Promise((done) => setTimeout(done, 600)); // for the words beside the bars
	document.querySelector('#clock-toggle').textContent = 'Pause';
	document.querySelector('#clock-pace').textContent = 'running';
	document.querySelector('#clock-pace').dataset.running = 'true';
	return true;
})()`

// shoot takes a picture of the page, from its top to the end of an element.
func (f *film) shoot(p *tab, name, last string) {
	f.t.Helper()
	shoot(f.t, p, name, last, staging)
}

// shoot takes a picture of a page after a script has run in it.
func shoot(t *testing.T, p *tab, name, last, script string) {
	t.Helper()
	if !*update {
		return
	}
	p.do(chromedp.MouseEvent(chromedp.MouseMoved, 1, 1))
	eval[bool](p, script)
	type area struct{ Width, Height float64 }
	size := eval[area](p, "({Width: innerWidth, Height: Math.ceil(document.querySelector('"+last+
		"').getBoundingClientRect().bottom) + 7})")
	answer := call(p, page.CaptureScreenshot, page.CaptureScreenshotParams{
		CaptureBeyondViewport: new(true), Clip: &page.Viewport{Width: size.Width, Height: size.Height, Scale: 1},
	})
	picture, err := png.Decode(bytes.NewReader(answer.Data))
	if err != nil {
		t.Fatal(err)
	}
	var small bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&small, quantise(picture)); err != nil {
		t.Fatal(err)
	}
	if small.Len() > largestPicture {
		t.Errorf("%s: %d bytes, want at most %d", name, small.Len(), largestPicture)
	}
	if err := os.MkdirAll(pictures, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(pictures, name+".png"), small.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// quantise returns a picture in its 256 most frequent colours, and for others the nearest
// of them.
func quantise(picture image.Image) image.Image {
	bounds := picture.Bounds()
	pixels := image.NewRGBA(bounds)
	draw.Draw(pixels, bounds, picture, bounds.Min, draw.Src)
	counts := map[color.RGBA]int{}
	each(pixels, func(_ int, c color.RGBA) { counts[c]++ })
	frequent := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G),
			cmp.Compare(a.B, b.B))
	})
	var palette color.Palette
	for _, c := range frequent[:min(len(frequent), 256)] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	for _, c := range frequent {
		nearest[c] = uint8(palette.Index(c))
	}
	few := image.NewPaletted(bounds, palette)
	each(pixels, func(i int, c color.RGBA) { few.Pix[i] = nearest[c] })
	return few
}

// each visits the pixels of a picture, row by row.
func each(picture *image.RGBA, visit func(i int, c color.RGBA)) {
	for i := range len(picture.Pix) / 4 {
		p := picture.Pix[4*i : 4*i+4]
		visit(i, color.RGBA{R: p[0], G: p[1], B: p[2], A: p[3]})
	}
}
