// Shows the documents with Swagger UI. A call that is tried out goes to the server that the
// page came from, below the path under which a proxy may have the mock. The server that the
// document names is an example, so the page does not offer it.
SwaggerUIBundle({
  urls: [
    { name: 'orchestratord, for nodes', url: 'openapi/nodes.yaml' },
    { name: 'mock control, for developers', url: 'openapi/mock-control.yaml' },
  ],
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
  layout: 'StandaloneLayout', // which has the choice of the two
  dom_id: '#reference',
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: (request) => {
    const url = new URL(request.url, location);
    if (!request.loadSpec) url.pathname = new URL(`.${url.pathname}`, location).pathname;
    request.url = location.origin + url.pathname + url.search;
    return request;
  },
  plugins: [() => ({
    wrapComponents: {
      ServersContainer: () => () => null,
      DeepLink: () => ({ text }) => text, // it would be a link inside a button
    },
  })],
});
