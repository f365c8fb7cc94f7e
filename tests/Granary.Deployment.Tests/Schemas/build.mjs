// Writes kubernetes.json, the JSON schema of the Kubernetes kinds that k8s/ uses, out of two packages of the npm registry, unpacked beside one another:
//   npm pack @kubernetes/client-node@2.0.1 kubernetes-models@4.3.1
//   node build.mjs FOLDER-OF-CLIENT-NODE FOLDER-OF-KUBERNETES-MODELS
// The first (Apache-2.0) is generated from Kubernetes' own OpenAPI document, release 1.36: kinds, fields, types, what is required. It leaves out
// enumerations and which strings are quantities; these come from the second (MIT), generated from release 1.27.
import fs from 'node:fs';
import path from 'node:path';

const [client, models] = process.argv.slice(2);
const roots = {
    'v1/ConfigMap': 'V1ConfigMap', 'v1/Namespace': 'V1Namespace', 'v1/Secret': 'V1Secret', 'v1/Service': 'V1Service',
    'v1/ServiceAccount': 'V1ServiceAccount', 'apps/v1/Deployment': 'V1Deployment', 'apps/v1/StatefulSet': 'V1StatefulSet',
    'autoscaling/v2/HorizontalPodAutoscaler': 'V2HorizontalPodAutoscaler', 'batch/v1/Job': 'V1Job',
    'networking.k8s.io/v1/NetworkPolicy': 'V1NetworkPolicy', 'policy/v1/PodDisruptionBudget': 'V1PodDisruptionBudget',
};
const folder = path.join(client, 'dist/gen/models');
const known = new Set(fs.readdirSync(folder).filter((f) => f.endsWith('.js')).map((f) => f.slice(0, -3)));

// IoK8sApiCoreV1Container -> V1Container, with the schema object the file holds.
const older = new Map();
for (const file of fs.readdirSync(path.join(models, '_schemas'))) {
    const name = /^IoK8s(?:Api[A-Z][a-z]+|ApimachineryPkgApisMeta)(V\d\w*)\.js$/.exec(file)?.[1];
    if (!name || !known.has(name)) continue;
    const text = /^const schema = (\{[\s\S]*?^\});/m.exec(fs.readFileSync(path.join(models, '_schemas', file), 'utf8'));
    if (text) older.set(name, JSON.parse(text[1]).properties ?? {});
}

const enumeration = (node) => node?.enum ?? node?.oneOf?.map((n) => n.enum).find((e) => e);
const quantity = (node) => JSON.stringify(node ?? {}).includes('resource.Quantity#');
const definitions = {};

function type(text, format, field) {
    const list = /^Array<(.*)>$/.exec(text);
    if (list) return {type: 'array', items: type(list[1], format, field?.items)};
    const map = /^\{ \[key: string\]: (.*); \}$/.exec(text);
    if (map) return {type: 'object', additionalProperties: quantity(field) ? {$ref: '#/definitions/Quantity'} : type(map[1], format)};
    if (text === 'string' && quantity(field)) return {$ref: '#/definitions/Quantity'};
    if (text === 'string' && enumeration(field)) return {type: 'string', enum: enumeration(field)};
    if (text === 'string') return format ? {type: 'string', format} : {type: 'string'};
    if (text === 'number') return format.startsWith('int') ? {type: 'integer', format} : {type: 'number'};
    if (text === 'boolean') return {type: 'boolean'};
    if (text === 'IntOrString') return {$ref: '#/definitions/IntOrString'};
    if (text === 'Date') return {type: 'string', format: 'date-time'};
    if (text === 'any') return {};
    if (!known.has(text)) throw new Error(`unknown type ${text}`);
    define(text);
    return {$ref: `#/definitions/${text}`};
}

function define(name) {
    if (definitions[name]) return;
    const schema = definitions[name] = {type: 'object', additionalProperties: false, required: [], properties: {}};
    const code = fs.readFileSync(path.join(folder, `${name}.js`), 'utf8');
    const declared = fs.readFileSync(path.join(folder, `${name}.d.ts`), 'utf8');
    const table = JSON.parse(/attributeTypeMap = (\[[\s\S]*?^\]);/m.exec(code)[1]);
    for (const {name: member, baseName, type: text, format} of table) {
        // What the cluster itself writes has no place in a manifest.
        if ((baseName === 'status' && Object.values(roots).includes(name)) || baseName === 'managedFields') continue;
        schema.properties[baseName] = type(text, format, older.get(name)?.[baseName]);
        if (new RegExp(`^    '${member}': `, 'm').test(declared)) schema.required.push(baseName);
    }
    if (schema.required.length === 0) delete schema.required;
}

definitions.Quantity = {
    type: ['string', 'number'],
    pattern: '^[+-]?([0-9]+|[0-9]+\\.[0-9]*|\\.[0-9]+)([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$',
};
definitions.IntOrString = {type: ['integer', 'string']};
const kinds = {};
for (const [key, name] of Object.entries(roots)) {
    define(name);
    const cut = key.lastIndexOf('/');
    definitions[name].properties.apiVersion = {type: 'string', enum: [key.slice(0, cut)]};
    definitions[name].properties.kind = {type: 'string', enum: [key.slice(cut + 1)]};
    definitions[name].required = ['apiVersion', 'kind', 'metadata', ...(definitions[name].required ?? [])];
    kinds[key] = {$ref: `#/definitions/${name}`};
}
const origin = 'The Kubernetes OpenAPI document, release 1.36, as generated into @kubernetes/client-node 2.0.1 (Apache-2.0, The Kubernetes Authors);'
    + ' enumerations and quantities of release 1.27 as generated into kubernetes-models 4.3.1 (MIT, Tommy Chen). Written by build.mjs.';
const lines = [`{"$comment":${JSON.stringify(origin)},`, '"kinds":{'];
const table = (entries) => entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',\n');
lines.push(table(Object.entries(kinds)), '},', '"definitions":{', table(Object.entries(definitions).sort(([a], [b]) => a < b ? -1 : 1)), '}}');
fs.writeFileSync(new URL('kubernetes.json', import.meta.url), lines.join('\n') + '\n');
console.log(`${Object.keys(kinds).length} kinds, ${Object.keys(definitions).length} definitions`);
