import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { type HostsFile, namesEndpoint, readMarker, renderHostsToml, tomlString } from './hosts-toml.ts';

const file: HostsFile = {
  host: 'kind-registry:5000',
  registry: { namespace: 'default', name: 'kind-registry', uid: '0b1f' },
  directory: 'created',
  endpoint: 'http://10.96.0.7:5000',
};

test('the whole text', () => {
  assert.equal(
    renderHostsToml(file),
    `# registry-operator.dev owner=default/kind-registry/0b1f directory=created sha256=${readMarker(renderHostsToml(file))?.marker.sha256}
# Pulls of kind-registry:5000 go to the Registry kind-registry in namespace default.
# The mirror agent undoes changes made here: change the Registry instead.
server = "http://10.96.0.7:5000"
capabilities = ["pull", "resolve"]
`,
  );
});

const anyText = fc.string({ unit: 'grapheme', minLength: 1 });
const anyFile: fc.Arbitrary<HostsFile> = fc.record({
  host: anyText,
  registry: fc.record({ namespace: anyText, name: anyText, uid: anyText }, { noNullPrototype: true }),
  directory: fc.constantFrom('created', 'found'),
  endpoint: anyText,
});

test('a marker is read back as it was written, whatever the names', () => {
  fc.assert(
    fc.property(anyFile, (any) => {
      const found = readMarker(renderHostsToml(any));
      assert.deepEqual(found?.marker.registry, any.registry);
      assert.equal(found?.marker.directory, any.directory);
      assert.equal(found?.intact, true);
    }),
  );
});

test('no name adds a line to the file', () => {
  fc.assert(
    fc.property(anyFile, (any) => {
      const lines = renderHostsToml(any).split('\n');
      assert.equal(lines.length, 6);
      assert.ok(lines.slice(0, 3).every((line) => line.startsWith('# ')));
      assert.ok(!/\p{Cc}/u.test(lines.join('')));
    }),
  );
});

test('any change after the first line is noticed', () => {
  const text = renderHostsToml(file);
  const body = text.slice(text.indexOf('\n') + 1);
  fc.assert(
    fc.property(fc.nat(body.length - 1), fc.constantFrom('', 'x', '\n', '"'), (index, insert) => {
      const changed = body.slice(0, index) + insert + body.slice(index + 1);
      fc.pre(changed !== body);
      assert.equal(readMarker(text.replace(body, () => changed))?.intact, false);
    }),
  );
  assert.equal(readMarker(`${text}\n`)?.intact, false);
  assert.equal(readMarker(text.slice(0, text.indexOf('\n')))?.intact, false);
});

test("anybody else's file has no marker", () => {
  const own = renderHostsToml(file);
  for (const text of ['', '\n', 'server = "https://docker.io"\n', ` ${own}`, `\n${own}`, '# registry-operator.dev\n']) {
    assert.equal(readMarker(text), undefined);
  }
});

test('a marker with a broken escape is read as it stands', () => {
  const text = renderHostsToml(file).replace('kind-registry/', '%zz/');
  assert.equal(readMarker(text)?.marker.registry.name, '%zz');
});

test('strings are escaped as TOML 1.0 says', () => {
  assert.equal(tomlString('a"b\\c'), String.raw`"a\"b\\c"`);
  assert.equal(tomlString('\0\t\n\x7f\x85'), String.raw`"\u0000\u0009\u000a\u007f\u0085"`);
  assert.equal(tomlString('é😀'), '"é😀"');
  assert.equal(tomlString('\ud800'), '"\ufffd"');
});

test('the endpoint of a file is found in it, and no other', () => {
  const text = renderHostsToml(file);
  assert.equal(namesEndpoint(text, file.endpoint), true);
  assert.equal(namesEndpoint(text, 'http://10.96.0.7:500'), false);
  assert.equal(namesEndpoint('', file.endpoint), false);
});
