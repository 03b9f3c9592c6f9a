// Short names for what the control API has. control.gen.d.ts, which is generated from its
// document, says what they are.
import type { components, paths } from './control.gen';

type Schemas = components['schemas'];

export type Overview = Schemas['Overview'];
export type Settings = Schemas['Settings'];
export type SettingsChange = Schemas['SettingsChange'];
export type ClockState = Schemas['Clock'];
export type MockNode = Schemas['MockNode'];
export type NodeRecord = Schemas['Node'];
export type NodeStatus = Schemas['NodeStatus'];
export type Transition = Schemas['Transition'];
export type FaultState = Schemas['FaultState'];
export type FaultDefinition = Schemas['FaultDefinition'];
export type FaultRule = Schemas['FaultRule'];
export type FaultMatch = Schemas['FaultMatch'];
export type FaultEffect = Schemas['FaultEffect'];
export type DriftReport = Schemas['DriftReport'];
export type DriftList = Schemas['DriftList'];
export type DriftEntry = Schemas['DriftEntry'];
export type Departure = Schemas['Departure'];
export type JournalEntry = Schemas['JournalEntry'];
export type JournalPage = Schemas['JournalPage'];
export type BodyRecord = Schemas['BodyRecord'];
export type Operation = Schemas['Operation'];
export type Problem = Schemas['Problem'];

/** A pool as the node reported it, or only its id before that. */
export type Pool = Pick<Schemas['PoolStatus'], 'pool_id'> & Partial<Schemas['PoolStatus']>;

/** What became of the lookup of nodes: those found, or why the mock refused the query. */
export type NodeQuery = NonNullable<paths['/__mock/nodes']['get']['parameters']['query']>;
export type JournalQuery = NonNullable<paths['/__mock/journal']['get']['parameters']['query']>;

export type Method = 'get' | 'put' | 'post' | 'patch' | 'delete';

/** The paths that have a method. */
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: object } ? P : never;
}[keyof paths];

type Call<P extends keyof paths, M extends Method> = NonNullable<paths[P][M]>;

type Parameters<C> = C extends { parameters: infer A } ? { [K in keyof A as K & ('path' | 'query')]: A[K] } : never;

type Body<C> = C extends { requestBody: { content: { 'application/json': infer B } } }
  ? { body: B }
  : { body?: undefined };

/** What a call takes. */
export type Input<P extends keyof paths, M extends Method> = Parameters<Call<P, M>> & Body<Call<P, M>>;

/** The input as arguments: none where all of it is optional. */
export type Arguments<P extends keyof paths, M extends Method> =
  {} extends Input<P, M> ? [input?: Input<P, M>] : [input: Input<P, M>];

/** What a call answers with if it succeeds. */
export type Answer<P extends keyof paths, M extends Method> =
  Call<P, M> extends { responses: { 200: { content: { 'application/json': infer A } } } } ? A : null;

/** What keeps the children of a list up to date: see list in dom.js. */
export interface Part<T> {
  element: Element;
  update(item: T): void;
}
