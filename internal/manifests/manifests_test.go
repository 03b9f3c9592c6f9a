// Package manifests checks the manifests of Kubernetes against the types of its API, and the
// compose file against the schema of the Compose Specification. It is a module of its own, so
// that nobody else needs those.
package manifests

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

const root = "../.."

// decode reads a manifest, and returns its pod template and what selects its pods. A field that
// the API does not know is an error, and so is one that is there twice.
func decode(manifest []byte) (*corev1.PodTemplateSpec, *metav1.LabelSelector, error) {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(manifest, &kind); err != nil {
		return nil, nil, err
	}
	strictly := func(into any) error { return yaml.UnmarshalStrict(manifest, into, yaml.DisallowUnknownFields) }
	switch kind.APIVersion + " " + kind.Kind {
	case "apps/v1 Deployment":
		var it appsv1.Deployment
		err := strictly(&it)
		return &it.Spec.Template, it.Spec.Selector, err
	case "apps/v1 DaemonSet":
		var it appsv1.DaemonSet
		err := strictly(&it)
		return &it.Spec.Template, it.Spec.Selector, err
	case "batch/v1 Job":
		var it batchv1.Job
		err := strictly(&it)
		return &it.Spec.Template, nil, err
	default:
		return nil, nil, strictly(&corev1.Service{})
	}
}

// TestManifests_lint decodes the manifests of deploy/.
func TestManifests_lint(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "deploy/kubernetes/*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for manifest := range bytes.SplitSeq(text, []byte("\n---\n")) {
			template, selector, err := decode(manifest)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			if template != nil {
				checkPods(t, file, template, selector)
			}
		}
	}
}

// checkPods checks what the types leave to the API server.
func checkPods(t *testing.T, file string, template *corev1.PodTemplateSpec, selector *metav1.LabelSelector) {
	t.Helper()
	if selector != nil {
		selects, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || selects.Empty() || !selects.Matches(labels.Set(template.Labels)) {
			t.Errorf("%s selects %v, and labels its pods %v: %v", file, selects, template.Labels, err)
		}
	}
	volumes := map[string]bool{}
	for _, volume := range template.Spec.Volumes {
		volumes[volume.Name] = true
	}
	for _, container := range template.Spec.Containers {
		if container.Name == "" || container.Image == "" {
			t.Errorf("%s has a container without a name or an image", file)
		}
		if len(container.Command) > 0 {
			t.Errorf("%s starts %q: its image has one program, /program, and starts it", file, container.Command)
		}
		for _, mount := range container.VolumeMounts {
			if !volumes[mount.Name] {
				t.Errorf("%s mounts %s, which is no volume of its pod", file, mount.Name)
			}
		}
	}
}

// TestServiceLeadsToTheMock_lint compares the service with the pods that it selects.
func TestServiceLeadsToTheMock_lint(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "deploy/kubernetes/mock.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	deployed, served, _ := bytes.Cut(text, []byte("\n---\n"))
	var (
		mock    appsv1.Deployment
		service corev1.Service
	)
	for manifest, into := range map[string]any{string(deployed): &mock, string(served): &service} {
		if err := yaml.UnmarshalStrict([]byte(manifest), into); err != nil {
			t.Fatal(err)
		}
	}
	pods := mock.Spec.Template
	if !labels.SelectorFromSet(service.Spec.Selector).Matches(labels.Set(pods.Labels)) {
		t.Errorf("the service selects %v, the pods are %v", service.Spec.Selector, pods.Labels)
	}
	named := map[string]bool{}
	for _, port := range pods.Spec.Containers[0].Ports {
		named[port.Name] = true
	}
	for _, port := range service.Spec.Ports {
		if !named[port.TargetPort.String()] {
			t.Errorf("there is no port %v", port.TargetPort)
		}
	}
}

// TestUnknownFieldIsFound_lint breaks a manifest.
func TestUnknownFieldIsFound_lint(t *testing.T) {
	const manifest = "apiVersion: apps/v1\nkind: Deployment\nspec: {replicas: 1, replica: 2}\n"
	if _, _, err := decode([]byte(manifest)); err == nil || !strings.Contains(err.Error(), "replica") {
		t.Errorf("error %v", err)
	}
}
