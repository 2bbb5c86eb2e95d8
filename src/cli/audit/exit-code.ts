/** Exit codes of an audit; the help of the command explains them. */
export const NOTHING_WRONG = 0;
export const SOMETHING_WRONG = 1;
export const NOT_COMPLETED = 2;
