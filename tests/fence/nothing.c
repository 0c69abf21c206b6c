/* A program that does nothing: it is linked with one whole layer, to see that the layer needs nothing above
 * it. */
int
main(void)
{
	return 0;
}
