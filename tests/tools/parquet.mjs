// What the catalogue's pages need to read a Parquet file of ours in place: the format, and the one way ours are packed.
export { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
export { decompress } from 'fzstd'
