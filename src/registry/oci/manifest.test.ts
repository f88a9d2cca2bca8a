import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { RegistryError } from './errors.ts';
import { mediaTypes, parseManifest, storedMediaType } from './manifest.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const descriptor = { mediaType: 'application/octet-stream', digest, size: 3 };
const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: [descriptor] };
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [descriptor] };

const bytes = (value: unknown) => Buffer.from(JSON.stringify(value));

function refused(value: unknown, contentType?: string): string {
  try {
    parseManifest(Buffer.isBuffer(value) ? value : bytes(value), contentType);
  } catch (error) {
    assert.ok(error instanceof RegistryError);
    assert.equal(error.code, 'MANIFEST_INVALID');
    return error.message;
  }
  throw new assert.AssertionError({ message: `not refused: ${JSON.stringify(value)}` });
}

test('an image names its config, layers, subject, artifact type and annotations', () => {
  const full = { ...image, subject: descriptor, artifactType: 'application/x', annotations: { a: 'b' } };
  const manifest = parseManifest(bytes(full), mediaTypes.ociManifest);
  assert.deepEqual(manifest, {
    kind: 'image',
    mediaType: mediaTypes.ociManifest,
    config: descriptor,
    layers: [descriptor],
    manifests: [],
    subject: descriptor,
    artifactType: 'application/x',
    annotations: { a: 'b' },
  });
});

test('without an artifact type of its own an image has that of its config', () => {
  assert.equal(parseManifest(bytes(image)).artifactType, 'application/octet-stream');
  assert.equal(parseManifest(bytes(index)).artifactType, undefined);
});

test('an index names its children', () => {
  const manifest = parseManifest(bytes(index), `${mediaTypes.ociIndex}; charset=utf-8`);
  assert.deepEqual(manifest, { kind: 'index', mediaType: mediaTypes.ociIndex, layers: [], manifests: [descriptor] });
});

test('docker types are read like their OCI cousins', () => {
  assert.equal(parseManifest(bytes({ ...image, mediaType: mediaTypes.dockerManifest })).kind, 'image');
  assert.equal(parseManifest(bytes({ ...index, mediaType: mediaTypes.dockerList })).kind, 'index');
});

test('an artifact of the 1.1 release candidates names its blobs', () => {
  const manifest = parseManifest(
    bytes({ mediaType: mediaTypes.ociArtifact, artifactType: 'x/y', blobs: [descriptor] }),
  );
  assert.deepEqual([manifest.kind, manifest.layers.length, manifest.artifactType], ['artifact', 1, 'x/y']);
});

test('a missing list and one that is null are empty', () => {
  assert.deepEqual(parseManifest(bytes({ ...image, layers: null })).layers, []);
  assert.deepEqual(parseManifest(bytes({ ...image, layers: undefined, subject: null, annotations: null })).layers, []);
});

test('the media type of stored bytes is what they say, else what they look like', () => {
  const { mediaType: _, ...untypedImage } = image;
  const { mediaType: __, ...untypedIndex } = index;
  assert.equal(storedMediaType(bytes({ ...image, mediaType: 'application/x' })), 'application/x');
  assert.equal(storedMediaType(bytes(untypedImage)), mediaTypes.ociManifest);
  assert.equal(storedMediaType(bytes(untypedIndex)), mediaTypes.ociIndex);
  assert.equal(storedMediaType(bytes({ schemaVersion: 1 })), mediaTypes.dockerSchema1);
  assert.equal(storedMediaType(bytes({ schemaVersion: 1, signatures: [] })), mediaTypes.dockerSchema1Signed);
  assert.equal(storedMediaType(Buffer.from('[]')), undefined);
  assert.equal(storedMediaType(Buffer.from('{"a"')), undefined);
});

test('what is stored gets the media type with which it was pushed, or is refused', () => {
  const { mediaType: _, ...untyped } = image;
  for (const type of [mediaTypes.ociManifest, undefined, '']) {
    const accepted = parseManifest(bytes(untyped), type);
    assert.equal(accepted.mediaType, storedMediaType(bytes(untyped)));
  }
  assert.match(refused(untyped, mediaTypes.dockerManifest), /Content-Type is .* but the manifest is/);
  assert.match(refused(image, mediaTypes.ociIndex), /Content-Type/);
});

test('the message names the field that is wrong', () => {
  assert.match(refused(Buffer.from('{')), /not JSON/);
  assert.match(refused([]), /not a JSON object/);
  assert.match(refused({ ...image, mediaType: 'text/plain' }), /media type text\/plain is not one of/);
  assert.match(refused({ ...image, schemaVersion: 1 }), /schemaVersion/);
  assert.match(refused({ ...image, config: undefined }), /config must be a descriptor/);
  assert.match(refused({ ...image, layers: {} }), /layers must be a list/);
  assert.match(refused({ ...image, layers: [descriptor, 1] }), /layers\[1\] must be a descriptor/);
  assert.match(refused({ ...image, config: { ...descriptor, digest: '../../etc/passwd' } }), /config.digest/);
  assert.match(refused({ ...image, config: { ...descriptor, digest: undefined } }), /config.digest/);
  assert.match(refused({ ...index, manifests: [{ ...descriptor, size: -1 }] }), /manifests\[0\].size/);
  assert.match(refused({ ...index, manifests: [{ ...descriptor, size: 1e300 }] }), /manifests\[0\].size/);
  assert.match(refused({ ...image, config: { ...descriptor, mediaType: 1 } }), /config.mediaType/);
  assert.match(refused({ ...image, config: { ...descriptor, urls: 'x' } }), /config.urls/);
  assert.match(refused({ ...image, annotations: { a: 1 } }), /annotations must map strings to strings/);
  assert.match(refused({ ...image, artifactType: 1 }), /artifactType/);
  assert.match(refused({ ...image, subject: 'x' }), /subject must be a descriptor/);
});

test('a document with two faces is refused', () => {
  assert.match(refused({ ...image, manifests: [] }), /has no manifests/);
  assert.match(refused({ ...index, layers: [] }), /has no layers/);
  assert.match(refused({ ...index, config: descriptor }), /has no config/);
});

test('no bytes whatever make it throw anything but MANIFEST_INVALID', () => {
  const attempt = (input: Uint8Array) => {
    try {
      parseManifest(input);
    } catch (error) {
      assert.ok(error instanceof RegistryError, String(error));
    }
    storedMediaType(input);
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), attempt));
  fc.assert(fc.property(fc.jsonValue(), fc.jsonValue(), (a, b) => attempt(bytes({ ...image, config: a, subject: b }))));
  attempt(Buffer.from('['.repeat(1_000_000)));
});
