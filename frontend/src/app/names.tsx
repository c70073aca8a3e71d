import { useBenchmarkName, useDatasetName, useModelName } from '../data/hooks'
import { paths } from '../lib/paths'
import { Copy, Link } from '../ui'

export const ModelName = ({ id }: { id: string }) => <>{useModelName(id)}</>

/** A model by its name. */
export const ModelLink = ({ id }: { id: string }) => <Link href={paths.model(id)}>{useModelName(id)}</Link>

/** A version of a model by the model's name. */
export const ModelVersionLink = ({ model, number }: { model: string; number: number }) =>
  <Link href={paths.modelVersion(model, number)}>{useModelName(model)} version {number}</Link>

/** A dataset by its name. */
export const DatasetLink = ({ id }: { id: string }) => <Link href={paths.dataset(id)}>{useDatasetName(id)}</Link>

/** A version of a dataset by the dataset's name. */
export const DatasetVersionLink = ({ dataset, number }: { dataset: string; number: number }) =>
  <Link href={paths.datasetVersion(dataset, number)}>{useDatasetName(dataset)} version&nbsp;{number}</Link>

/** A benchmark by its title. */
export const BenchmarkLink = ({ id }: { id: string }) => <Link href={paths.benchmark(id)}>{useBenchmarkName(id)}</Link>

/** The id of something, which commands and addresses use, to copy. */
export const CopyId = ({ id, of }: { id: string; of: string }) => <Copy text={id} about={`Copy the id of ${of}`} />
