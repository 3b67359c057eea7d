export { default } from "./processor.js?worker&url";
